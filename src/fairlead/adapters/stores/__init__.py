"""What is kept longer than a call: on disk, or in memory."""
