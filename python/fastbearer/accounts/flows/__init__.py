"""What is done with accounts, whatever the routes are by which it is asked for."""
