"""Tables in files: text, Parquet and spreadsheets, read into memory, or checked before an engine reads them."""
