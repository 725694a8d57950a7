// SPDX-License-Identifier: Apache-2.0
// The window: a transcript, a line to type in, and one button that sends or stops. Everything here
// runs on the window's thread and returns at once; updates of the model's thread come in through
// the window's own queue.
#pragma once

#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTextCharFormat>
#include <QTextEdit>
#include <QWidget>
#include <string>

#include "conversation_thread.h"

namespace embed {

class Window : public QWidget {
 public:
  explicit Window(const std::string& model);

 private:
  void send_or_stop();
  void receive(const Update& update);
  void write(const QString& text, const QTextCharFormat& format);
  void set_answering(bool answering);

  QTextEdit transcript_;
  QLineEdit line_;
  QPushButton button_;
  QLabel status_;
  QTextCharFormat plain_, bold_, dim_;
  bool answering_ = false;
  Update::Kind last_ = Update::Kind::kReady;
  ConversationThread conversation_;  // last: it ends before what it writes to
};

}  // namespace embed
