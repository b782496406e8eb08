"""The versions of the schema. A file is never changed once it is released: what changes is a new one."""
