#include "drivers/syslog/syslog_sink.hpp"

namespace entrepot {
namespace {

constexpr int facility = 13;
constexpr int notice = 5;
constexpr int warning = 4;

// A field of the header: printable ASCII without blanks, "-" where there is nothing.
std::string header_word(std::string_view text, std::size_t longest)
{
    std::string word;
    for (const char letter : text.substr(0, longest)) word += letter > ' ' && letter < '\x7f' ? letter : '_';
    return word.empty() ? "-" : word;
}

}  // namespace

std::string syslog_frame(const AuditMessage& message, std::string_view instance)
{
    auto time = rfc3339(message.at);
    const auto fraction = std::to_string(1'000'000 + ((message.at % 1'000'000) + 1'000'000) % 1'000'000);
    time.insert(time.size() - 1, "." + fraction.substr(1));
    const auto priority = facility * 8 + (message.ok ? notice : warning);
    std::string text = "<" + std::to_string(priority) + ">1 " + time + " " + header_word(instance, 255) +
                       " entrepot - " + header_word(message.operation, 32) + " - ";
    text += message.json;
    return std::to_string(text.size()) + " " + text;
}

Result<SyslogSink::Target> parse_syslog_target(std::string_view text)
{
    SyslogSink::Target target;
    target.tls = text.starts_with("tls://");
    const auto wrong = [] { return fail(Errc::bad_request, "must be tcp://HOST:PORT or tls://HOST:PORT"); };
    if (!target.tls && !text.starts_with("tcp://")) return wrong();
    text.remove_prefix(6);
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return wrong();
    auto host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    target.host = host;
    target.port = text.substr(colon + 1);
    const bool plain = target.host.find_first_of(" /?#@[]") == std::string::npos && !target.host.empty();
    if (!plain || target.port.find_first_not_of("0123456789") != std::string::npos || target.port.size() > 5) {
        return wrong();
    }
    return target;
}

}  // namespace entrepot
