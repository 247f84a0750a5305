"""Tests of ETSI's data types and of SOL013's query language."""
