"""What applications build on the port."""
