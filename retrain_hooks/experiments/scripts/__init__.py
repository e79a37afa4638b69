"""What trains and serves a graph elsewhere: these files go there, with the sources of `graph` and `tables` beside them."""
