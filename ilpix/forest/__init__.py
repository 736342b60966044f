"""Random forests as Ilastik stores them: read, asked, grown and written."""
