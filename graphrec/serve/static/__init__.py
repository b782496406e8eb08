"""Files for browsers, shipped with the package."""
