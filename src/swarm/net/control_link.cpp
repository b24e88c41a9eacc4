#include "swarm/net/control_link.hpp"

#include "core/bytes.hpp"
#include "swarm/net/peer_handshake.hpp"

#include <span>
#include <utility>
#include <variant>

namespace entrepot {

namespace {

// What is encrypted at a time.
constexpr std::size_t most_sealed = 64 * 1024;

// Also what the text has reserved.
void forget(std::string& text)
{
    std::string{}.swap(text);
}

}  // namespace

Task<> ControlLink::shake_hands(Scratch& scratch)
{
    return entrepot::shake_hands(*stream_, *tls_, scratch.sealed);
}

Result<> ControlLink::take(Scratch& scratch, const Taker& each)
{
    bool goes_on = true;
    while (goes_on && !closed_) {
        const auto count = tls_->read(scratch.clear);
        if (!count) return fail(Errc::connection_lost, count.error().message(), count.error().detail());
        if (*count == 0) return {};
        splitter_.feed(std::span{scratch.clear}.first(*count));
        auto taken = take_frames(each);
        // The rest is of no interest, and the scratch is others' too.
        if (!taken || !*taken) tls_->feed({});
        TRY(goes_on, std::move(taken));
    }
    return {};
}

// Whether more is wanted.
Result<bool> ControlLink::take_frames(const Taker& each)
{
    while (true) {
        TRY(const auto item, splitter_.next());
        if (!item) return true;
        const auto* const whole = std::get_if<WholeFrame>(&*item);
        if (whole == nullptr) return fail(Errc::bad_request, "DATA on a control stream");
        TRY(const auto frame, decode_control_frame(whole->head, whole->body));
        if (frame && !each(*frame)) return false;
    }
}

Result<bool> ControlLink::read(Scratch& scratch, const Taker& each)
{
    TRY(const auto count, stream_->read(scratch.sealed));
    if (!count) return false;
    tls_->feed(std::span{scratch.sealed}.first(*count));
    CHECK(take(scratch, each));
    return *count == scratch.sealed.size();
}

Result<bool> ControlLink::discard(Scratch& scratch)
{
    TRY(const auto count, stream_->read(scratch.sealed));
    return count == scratch.sealed.size();
}

void ControlLink::send(std::string_view bytes)
{
    if (sealed_ > waiting_.size() / 2) waiting_.erase(0, std::exchange(sealed_, 0));
    waiting_ += bytes;
}

std::size_t ControlLink::unsent() const noexcept
{
    return waiting_.size() - sealed_ + tls_->output().size() - written_;
}

Result<bool> ControlLink::flush()
{
    auto& output = tls_->output();
    while (true) {
        if (written_ < output.size()) {
            TRY(const auto count, stream_->write(as_bytes(std::string_view{output}.substr(written_))));
            if (!count) return false;
            written_ += *count;
            continue;
        }
        forget(output);
        written_ = 0;
        if (sealed_ < waiting_.size()) {
            const auto some = std::string_view{waiting_}.substr(sealed_, most_sealed);
            CHECK(tls_->seal(as_bytes(some)));
            sealed_ += some.size();
            continue;
        }
        forget(waiting_);
        sealed_ = 0;
        if (!finishing_ || std::exchange(finished_, true)) return true;
        tls_->finish();
        // What ends TLS; whether it arrives is of no matter.
        static_cast<void>(stream_->write(as_bytes(output)));
        stream_->finish();
        forget(output);
        return true;
    }
}

void ControlLink::close()
{
    closed_ = true;
    stream_->close();
}

}  // namespace entrepot
