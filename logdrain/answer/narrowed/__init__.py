"""Events as a narrowed key sees them."""
