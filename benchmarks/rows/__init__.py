"""One module for each family of rows; a row is a function that measures and returns its table."""
