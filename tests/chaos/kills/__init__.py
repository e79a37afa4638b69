"""`kill -9` of a random process at a random moment of a real `./dev up`, and the quiet one after it: `./dev chaos --kills`."""
