"""Record batches as the texts that COPY and CSV take."""
