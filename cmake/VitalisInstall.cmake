# What `cmake --install` lays down: the libraries, the public headers, the files that find_package
# and pkg-config read. Two export sets, so that users of the shared library need not have the packages
# that only the static one links. Components are the Debian packages of VitalisPackages.cmake.
include(CMakePackageConfigHelpers)

# The program finds the library beside it, wherever the tree lies; under /usr the system's loader does.
if(TARGET vitalis_cli AND NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  file(RELATIVE_PATH libraries /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
  set_target_properties(vitalis_cli PROPERTIES INSTALL_RPATH "\$ORIGIN/${libraries}")
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Vitalis)
install(TARGETS vitalis EXPORT VitalisSharedTargets
  LIBRARY COMPONENT libvitalis1 NAMELINK_COMPONENT libvitalis-dev)
install(TARGETS vitalis_static EXPORT VitalisStaticTargets ARCHIVE COMPONENT libvitalis-dev)
install(FILES include/vitalis/vitalis.h include/vitalis/base.hpp include/vitalis/text.hpp
  include/vitalis/vitalis.hpp include/vitalis/hub.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vitalis COMPONENT libvitalis-dev)
foreach(kind Shared Static)
  install(EXPORT Vitalis${kind}Targets NAMESPACE Vitalis:: DESTINATION ${package_dir}
    COMPONENT libvitalis-dev)
endforeach()

configure_package_config_file(cmake/VitalisConfig.cmake.in ${PROJECT_BINARY_DIR}/VitalisConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/VitalisConfigVersion.cmake
  COMPATIBILITY SameMajorVersion)
install(
  FILES ${PROJECT_BINARY_DIR}/VitalisConfig.cmake ${PROJECT_BINARY_DIR}/VitalisConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT libvitalis-dev)

# pkg-config: the prefix follows from where the file lies, so that the tree may be moved.
cmake_path(SET pc_dir ${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${pc_dir} OUTPUT_VARIABLE pc_prefix)
configure_file(cmake/vitalis.pc.in ${PROJECT_BINARY_DIR}/vitalis.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/vitalis.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT libvitalis-dev)
