# Run by CPack when the packages' files lie in their folders: compresses man pages and changelogs, as
# Debian's policy asks, without the time of day in them.
file(GLOB_RECURSE files ${CPACK_TEMPORARY_DIRECTORY}/*/usr/share/man/*.1
  ${CPACK_TEMPORARY_DIRECTORY}/*/usr/share/doc/*/changelog*)
list(FILTER files EXCLUDE REGEX "\\.gz$")
foreach(file IN LISTS files)
  execute_process(COMMAND gzip -9n ${file} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
