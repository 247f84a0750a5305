"""What authors of packages use: looking, explaining, starting, building, drawing."""
