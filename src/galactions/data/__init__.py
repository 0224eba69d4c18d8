"""Published facts, as data files, and the readers of those that several rooms use."""
