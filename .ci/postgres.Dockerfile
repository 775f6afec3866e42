# Debian's PostgreSQL with the official image's user number, which k8s/components/postgres runs as.
FROM docker.io/library/postgres:15
RUN groupmod -g 999 postgres && usermod -u 999 -g 999 postgres
