"""What several topics' tests share; nothing here stands in for code of ours."""
