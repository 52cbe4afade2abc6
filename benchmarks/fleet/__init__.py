"""What a fleet of canaries costs, and how soon those that turn bad are taken back."""
