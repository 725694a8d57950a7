// SPDX-License-Identifier: Apache-2.0
#include "window.h"

#include <QHBoxLayout>
#include <QMetaObject>
#include <QScrollBar>
#include <QVBoxLayout>
#include <utility>

namespace embed {

Window::Window(const std::string& model)
    : conversation_(model, {}, [this](Update update) {
        // An update that is still in the queue when the window goes is dropped with it.
        QMetaObject::invokeMethod(
            this, [this, update = std::move(update)] { receive(update); }, Qt::QueuedConnection);
      }) {
  resize(720, 480);
  transcript_.setReadOnly(true);
  transcript_.setFocusPolicy(Qt::ClickFocus);
  bold_.setFontWeight(QFont::Bold);
  dim_.setForeground(palette().placeholderText());
  status_.setText(QStringLiteral("Loading %1 …").arg(QString::fromStdString(model)));

  auto* bottom = new QHBoxLayout();
  bottom->addWidget(&line_);
  bottom->addWidget(&button_);
  auto* all = new QVBoxLayout(this);
  all->addWidget(&transcript_);
  all->addLayout(bottom);
  all->addWidget(&status_);

  connect(&line_, &QLineEdit::returnPressed, this, [this] {
    if (!answering_) send_or_stop();
  });
  connect(&button_, &QPushButton::clicked, this, [this] { send_or_stop(); });
  set_answering(false);
  setWindowTitle(QStringLiteral("Vitalis"));
  button_.setEnabled(false);
  line_.setFocus();
}

void Window::send_or_stop() {
  if (answering_) {
    conversation_.stop();
    return;
  }
  const QString question = line_.text().trimmed();
  if (question.isEmpty() || !button_.isEnabled()) return;
  line_.clear();
  write(question + QStringLiteral("\n"), bold_);
  last_ = Update::Kind::kReady;
  set_answering(true);
  conversation_.ask(question.toStdString());
}

void Window::receive(const Update& update) {
  const QString text = QString::fromStdString(update.text);
  switch (update.kind) {
    case Update::Kind::kReady:
      button_.setEnabled(true);
      set_answering(false);
      status_.setText(text);
      break;
    case Update::Kind::kReasoning:
      write(text, dim_);
      break;
    case Update::Kind::kAnswer:
      if (last_ == Update::Kind::kReasoning) write(QStringLiteral("\n"), plain_);
      write(text, plain_);
      break;
    case Update::Kind::kEnd:
      write(QStringLiteral("\n\n"), plain_);
      set_answering(false);
      status_.setText(text);
      break;
    case Update::Kind::kFailure:
      set_answering(false);
      button_.setEnabled(false);  // the model's thread is over
      status_.setText(text);
      break;
  }
  last_ = update.kind;
}

void Window::write(const QString& text, const QTextCharFormat& format) {
  QTextCursor end(transcript_.document());
  end.movePosition(QTextCursor::End);
  end.insertText(text, format);
  transcript_.verticalScrollBar()->setValue(transcript_.verticalScrollBar()->maximum());
}

void Window::set_answering(bool answering) {
  answering_ = answering;
  setWindowTitle(answering ? QStringLiteral("Vitalis (answering)")
                           : QStringLiteral("Vitalis (ready)"));
  button_.setText(answering ? QStringLiteral("Stop") : QStringLiteral("Send"));
  if (answering) status_.setText(QStringLiteral("Answering …"));
}

}  // namespace embed
