"""The client of the Genesys Cloud API: all HTTP that this project speaks to Genesys."""
