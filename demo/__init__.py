"""What `make demo` needs beside the package: contact lists and the tour itself."""
