# Third-party packages, each found once. The layer that links one is the only place that uses it.
find_package(Threads REQUIRED)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(TBB REQUIRED)
find_package(simdjson REQUIRED)
find_package(CURL 7.84 REQUIRED)  # from then on its start is safe from several threads
find_package(OpenSSL 3.0 REQUIRED)
