"""From files to a validated Dataset, and from a Dataset to a Split."""
