"""Records of all that the package answers, for changes that must not change an answer."""
