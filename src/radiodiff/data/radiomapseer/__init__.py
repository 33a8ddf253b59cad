"""RadioMapSeer: the reader, its packed form, and files in its layout."""
