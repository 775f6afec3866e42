"""Makes the Secrets that a cluster lacks, and takes the steps of a key's rotation, from inside a Job."""
