#include "http/inbound_request.hpp"

#include "core/ascii.hpp"
#include "http/head_parser.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace entrepot::http {
namespace {

constexpr std::size_t longest_id = 64;

bool is_fit_for_id(std::string_view text)
{
    return !text.empty() && text.size() <= longest_id && std::all_of(text.begin(), text.end(), [](char c) {
        return is_letter_or_digit(c) || std::string_view{"-_.:=+/"}.contains(c);
    });
}

}  // namespace

std::string RequestIds::next()
{
    return fmt::format("{:012x}{:02x}{:08x}", start_ & 0xffff'ffff'ffffU, loop_ & 0xffU, ++count_);
}

const Origin& InboundRequest::origin() const
{
    if (origin_) return *origin_;
    auto& origin = origin_.emplace();
    origin.secure = encrypted_;
    origin.authority = authority_;
    if (!trusted_.contains(peer_)) {
        origin.client = peer_.text();
        return origin;
    }
    origin.client = client().text();
    if (const auto scheme = last_element("x-forwarded-proto")) {
        if (same_word(*scheme, "https")) origin.secure = true;
        if (same_word(*scheme, "http")) origin.secure = false;
    }
    if (const auto host = last_element("x-forwarded-host"); host && is_authority(*host)) origin.authority = *host;
    return origin;
}

const std::string& InboundRequest::request_id() const
{
    if (!id_.empty()) return id_;
    const auto given = header("x-request-id");
    id_ = given && is_fit_for_id(*given) ? std::string{*given} : ids_.next();
    return id_;
}

// The last address of X-Forwarded-For that is no trusted proxy: what stands before it anyone may have written.
Address InboundRequest::client() const
{
    const auto hops = header_list("x-forwarded-for");
    std::string_view rest = hops;
    Address client = peer_;
    while (!rest.empty()) {
        const auto comma = rest.rfind(',');
        const auto hop = trimmed(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(0, comma);
        const auto address = Address::parse(hop);
        if (!address) break;
        client = *address;
        if (!trusted_.contains(client)) break;
    }
    return client;
}

// What the proxy next to us said, should others have said something before it.
std::optional<std::string_view> InboundRequest::last_element(std::string_view name) const
{
    for (auto field = headers.rbegin(); field != headers.rend(); ++field) {
        if (!same_word(field->name, name)) continue;
        const auto comma = field->value.rfind(',');
        return trimmed(comma == std::string_view::npos ? field->value : field->value.substr(comma + 1));
    }
    return std::nullopt;
}

}  // namespace entrepot::http
