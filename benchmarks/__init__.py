"""What measures speed: ratios, side by side in one run."""
