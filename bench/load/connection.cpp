#include "connection.hpp"

#include <algorithm>

namespace entrepot::load {
namespace {

constexpr std::size_t most_pieces = 4;
// Reads in a row from one connection before the others get their turn.
constexpr int reads_in_a_row = 8;

iovec piece_of(std::string_view bytes)
{
    return {.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
}

}  // namespace

Connection::Connection(const Target& target, SSL_CTX* tls, std::unique_ptr<Script> script, Statistics& statistics)
    : target_(target),
      tls_(tls),
      script_(std::move(script)),
      statistics_(statistics),
      stream_(std::make_unique<Stream>(target, tls))
{
}

Connection::Progress Connection::begin(bool stopping)
{
    return ask(stopping);
}

Connection::Progress Connection::go_on(std::span<char> scratch, bool stopping)
{
    if (!sending_) return receive(scratch, stopping);
    const auto progress = send();
    return progress == Progress::finished ? broken("closed while sending", stopping) : progress;
}

Connection::Progress Connection::ask(bool stopping)
{
    request_ = script_->next(stopping);
    if (request_ == nullptr) return Progress::finished;
    if (!in_unit_) {
        in_unit_ = true;
        unit_began_ = Clock::now();
    }
    reader_.start(request_->expects_body);
    sent_ = 0;
    to_send_ = request_->head.size() + request_->body.wire_length();
    sending_ = true;
    const auto progress = send();
    return progress == Progress::finished ? broken("closed while sending", stopping) : progress;
}

// The pieces from sent_ on, as many as fit.
std::size_t Connection::gather(std::span<iovec> pieces) const
{
    const auto& body = request_->body;
    std::size_t count = 0;
    auto skip = sent_;
    const auto add = [&](std::string_view bytes) {
        if (skip >= bytes.size()) {
            skip -= bytes.size();
        } else if (count < pieces.size()) {
            pieces[count++] = piece_of(bytes.substr(static_cast<std::size_t>(skip)));
            skip = 0;
        }
    };
    add(request_->head);
    add(body.first);
    std::size_t block = 0;
    if (!body.block.empty()) {
        block = std::min<std::size_t>(body.repeats, static_cast<std::size_t>(skip / body.block.size()));
        skip -= block * body.block.size();
    }
    for (; block < body.repeats && count < pieces.size(); ++block) add(body.block);
    if (block == body.repeats) add(body.last);
    return count;
}

// finished stands for a stream that broke.
Connection::Progress Connection::send()
{
    iovec pieces[most_pieces];
    while (sent_ < to_send_) {
        const auto count = gather(pieces);
        std::size_t written = 0;
        switch (stream_->write(std::span{pieces, count}, written)) {
            case Moved::bytes: sent_ += written; break;
            case Moved::nothing_now: return Progress::waits_to_write;
            case Moved::closed: return Progress::finished;
        }
    }
    sending_ = false;
    return Progress::waits_to_read;
}

Connection::Progress Connection::receive(std::span<char> scratch, bool stopping)
{
    for (int reads = 0; reads < reads_in_a_row; ++reads) {
        std::size_t count = 0;
        const auto moved = stream_->read(scratch, count);
        if (moved == Moved::nothing_now) return Progress::waits_to_read;
        if (moved == Moved::closed) return broken("closed before the whole answer", stopping);
        const auto taken = reader_.feed({scratch.data(), count});
        if (!taken || *taken != count) return broken("answer cannot be read", stopping);
        if (reader_.done()) return answer(stopping);
    }
    return stream_->holds_more() ? Progress::has_more : Progress::waits_to_read;
}

Connection::Progress Connection::answer(bool stopping)
{
    ++statistics_.requests;
    statistics_.bytes_in += reader_.body_bytes();
    statistics_.bytes_out += request_->body.wire_length();
    const auto verdict = script_->answered(reader_);
    if (!verdict.wrong.empty()) {
        statistics_.error(verdict.wrong);
        script_->give_up();
        in_unit_ = false;
    } else if (verdict.unit_done) {
        const std::chrono::duration<float, std::milli> took = Clock::now() - unit_began_;
        statistics_.latencies_ms.push_back(took.count());
        in_unit_ = false;
    }
    if (!reader_.closes()) return ask(stopping);
    ++statistics_.reconnects;
    stream_.reset();
    stream_ = std::make_unique<Stream>(target_, tls_);
    const auto progress = ask(stopping);
    return progress == Progress::finished ? progress : Progress::reconnected;
}

Connection::Progress Connection::broken(const char* how, bool stopping)
{
    statistics_.error(how);
    script_->give_up();
    in_unit_ = false;
    if (stopping) return Progress::finished;
    ++statistics_.reconnects;
    stream_.reset();
    stream_ = std::make_unique<Stream>(target_, tls_);
    const auto progress = ask(stopping);
    return progress == Progress::finished ? progress : Progress::reconnected;
}

}  // namespace entrepot::load
