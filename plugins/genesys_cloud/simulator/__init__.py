"""A Genesys that runs on a laptop: it speaks the published contract, with state.

It imports nothing of the rest of the package, so that it can disagree with the client
when the client is wrong.
"""
