// SPDX-License-Identifier: Apache-2.0
// A desktop program with Vitalis inside: embed MODEL
#include <QApplication>
#include <cstdio>

#include "window.h"

int main(int argc, char** argv) {
  QApplication application(argc, argv);
  if (argc != 2) {
    std::fputs("usage: embed MODEL\n", stderr);
    return 2;
  }
  embed::Window window(argv[1]);
  window.show();
  return QApplication::exec();
}
