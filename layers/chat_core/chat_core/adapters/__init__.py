"""One vendor a module: each translates its vendor's calls and errors into the core's own."""
