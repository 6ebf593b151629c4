"""What changes after deployment: inputs, scores, calibration, arrival; and when a change is more than chance."""
