"""What failed in the end: the letters in a variant's dead-letter queue, shown and put back on their way."""
