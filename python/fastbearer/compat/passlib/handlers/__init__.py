"""The schemes, each in the module where passlib has it."""
