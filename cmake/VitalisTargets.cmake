# Build settings as interface targets, and the functions that make layers, tests and benchmarks.

add_library(vitalis_settings INTERFACE)
target_compile_features(vitalis_settings INTERFACE cxx_std_20)
target_include_directories(vitalis_settings INTERFACE
  ${PROJECT_SOURCE_DIR}/lib ${PROJECT_SOURCE_DIR}/include)
# Contraction would let the compiler fuse a product and a sum where the source has two roundings:
# then two tiers, or two compilers, would differ in the last bit.
target_compile_options(vitalis_settings INTERFACE
  -ffp-contract=off -fno-math-errno
  -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wpedantic -Wnon-virtual-dtor -Wcast-align -Woverloaded-virtual
  $<$<BOOL:${VITALIS_WERROR}>:-Werror>)
if(VITALIS_SANITIZE)
  target_compile_options(vitalis_settings INTERFACE
    -fsanitize=${VITALIS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(vitalis_settings INTERFACE -fsanitize=${VITALIS_SANITIZE})
endif()

# vitalis_layer(NAME SOURCES a.cc b.cc [LINK packages]): one object library per folder of lib/.
function(vitalis_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  add_library(vitalis_${name} OBJECT ${arg_SOURCES})
  target_link_libraries(vitalis_${name} PRIVATE vitalis_settings ${arg_LINK})
  set_target_properties(vitalis_${name} PROPERTIES
    POSITION_INDEPENDENT_CODE ON
    CXX_VISIBILITY_PRESET hidden C_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  set_property(GLOBAL APPEND PROPERTY VITALIS_LAYERS vitalis_${name})
  set_property(GLOBAL APPEND PROPERTY VITALIS_LAYER_LINKS ${arg_LINK})
endfunction()
