"""Result files of evaluation tools, read as hostile input into trials of tasks."""
