"""Attention: scores, masks, and one head or several."""
