"""What may leave: pseudonyms, scrubbing, wording, thresholds, and the gate that applies them."""
