"""What users could take instead, written here as their documentation shows it."""
