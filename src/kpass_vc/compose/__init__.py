"""From what we know to the documents we publish and sign; values in, values out."""
