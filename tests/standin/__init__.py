"""The LinkedIn stand-in keeps to the reference, over real HTTP."""
