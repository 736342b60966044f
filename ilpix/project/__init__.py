"""The project file: classes, lanes, labels and classifier, read and written."""
