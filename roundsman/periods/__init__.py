"""What the commands of windows and guard periods share."""
