"""The zygote: a trusted, warm Python from which kernels are forked."""
