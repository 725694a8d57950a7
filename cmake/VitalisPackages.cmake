# Debian packages by CPack, one for each install component: `cmake --workflow --preset packages`, or
# `cpack -G DEB` in a build folder. What only packages hold is left out of `cmake --install`.
if(NOT EXISTS /etc/debian_version OR VITALIS_SANITIZE)
  return()
endif()
set(VITALIS_MAINTAINER "Vitalis maintainers <maintainers@vitalis.example>" CACHE STRING
  "Who answers for the Debian packages: Name <address>")
set(VITALIS_DEBIAN_REVISION 1 CACHE STRING "Revision of the Debian packages of this version")
set(debian_version ${PROJECT_VERSION}-${VITALIS_DEBIAN_REVISION})

set(packages libvitalis1 libvitalis-dev python3-vitalis)
if(TARGET vitalis_cli)
  list(APPEND packages vitalis)
endif()

# The Python package has no compiled part; it loads the library by its SONAME.
install(DIRECTORY bindings/python/vitalis DESTINATION lib/python3/dist-packages
  COMPONENT python3-vitalis EXCLUDE_FROM_ALL
  FILES_MATCHING PATTERN "*.py" PATTERN "py.typed" PATTERN "__pycache__" EXCLUDE)

string(TIMESTAMP debian_date "%a, %d %b %Y %H:%M:%S +0000" UTC)  # or of SOURCE_DATE_EPOCH
configure_file(cmake/debian/changelog.in ${PROJECT_BINARY_DIR}/debian/changelog.Debian @ONLY)
foreach(package IN LISTS packages)
  install(FILES cmake/debian/copyright ${PROJECT_BINARY_DIR}/debian/changelog.Debian
    DESTINATION share/doc/${package} COMPONENT ${package} EXCLUDE_FROM_ALL)
  install(FILES CHANGELOG.md RENAME changelog
    DESTINATION share/doc/${package} COMPONENT ${package} EXCLUDE_FROM_ALL)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL ${packages})
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/debian)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian/compress.cmake)
set(CPACK_PACKAGE_CONTACT "${VITALIS_MAINTAINER}")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_DEBIAN_PACKAGE_RELEASE ${VITALIS_DEBIAN_REVISION})
set(CPACK_DEBIAN_PACKAGE_SOURCE vitalis)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/capi)

set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own first line
set(about "Vitalis runs OpenAI's gpt-oss models on ordinary CPUs, from the\n\
checkpoints as they are published: MXFP4 weights are used in place, by\n\
kernels for AVX2, AVX-512 or any CPU, chosen at run time.\n\nThis package holds ")

# debian_package(NAME SECTION PART CONTENTS [DEPENDS…])
function(debian_package name section part contents)
  string(TOUPPER CPACK_DEBIAN_${name} variable)
  list(JOIN ARGN ", " depends)
  set(${variable}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(${variable}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(${variable}_PACKAGE_DEPENDS "${depends}" PARENT_SCOPE)
  set(${variable}_DESCRIPTION
    "inference for gpt-oss models on CPUs - ${part}\n${about}${contents}" PARENT_SCOPE)
endfunction()
debian_package(libvitalis1 libs "library" "the shared library." ca-certificates)
debian_package(libvitalis-dev libdevel "development files"
  "the headers for C and C++, the static\nlibrary, and the files for CMake and pkg-config."
  "libvitalis1 (= ${debian_version})" libtbb-dev libsimdjson-dev
  libcurl4-openssl-dev libssl-dev)
debian_package(python3-vitalis python "Python package" "the package vitalis for Python 3."
  "libvitalis1 (>= ${PROJECT_VERSION})" "python3:any (>= 3.9)")
debian_package(vitalis science "program"
  "the program vitalis: it answers prompts,\nconverses, and shows how models, prompts and tokens look."
  "libvitalis1 (>= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_LIBVITALIS1_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_VITALIS_PACKAGE_SHLIBDEPS ON)
# What other packages that link the library come to depend on, and the trigger of the loader's cache.
file(WRITE ${PROJECT_BINARY_DIR}/debian/shlibs
  "libvitalis 1 libvitalis1 (>= ${PROJECT_VERSION})\n")
set(CPACK_DEBIAN_LIBVITALIS1_PACKAGE_CONTROL_EXTRA
  "${PROJECT_BINARY_DIR}/debian/shlibs;${PROJECT_SOURCE_DIR}/cmake/debian/triggers")
set(CPACK_DEBIAN_PYTHON3-VITALIS_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PYTHON3-VITALIS_PACKAGE_CONTROL_EXTRA
  "${PROJECT_SOURCE_DIR}/cmake/debian/postinst;${PROJECT_SOURCE_DIR}/cmake/debian/prerm")
include(CPack)
