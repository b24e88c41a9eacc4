#include "drivers/upstream/remote_problem.hpp"

#include "client/http_url.hpp"
#include "core/ascii.hpp"
#include "oci/json_fields.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace entrepot {
namespace {

constexpr std::size_t longest_message = 200;
constexpr std::size_t longest_code = 64;

std::string readable(std::string_view text, std::size_t most)
{
    std::string out;
    for (const char c : text.substr(0, most)) out += c >= ' ' && c < 0x7f ? c : ' ';
    return out;
}

std::string code_of(std::string_view text)
{
    // "com.amazonaws.ecr#RepositoryNotFoundException"
    text.remove_prefix(std::min(text.rfind('#') + 1, text.size()));
    auto code = readable(text, longest_code);
    std::ranges::transform(code, code.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
    });
    return code;
}

std::optional<Errc> errc_of(std::string_view code, std::string_view message, unsigned status)
{
    struct Row {
        std::string_view code;
        Errc errc;
    };
    // OCI distribution-spec, "Error Codes", and what registries have besides.
    static constexpr std::array<Row, 20> table{{
        {"BLOB_UNKNOWN", Errc::blob_unknown},
        {"BLOB_UPLOAD_UNKNOWN", Errc::upload_unknown},
        {"BLOB_UPLOAD_INVALID", Errc::upload_invalid},
        {"DIGEST_INVALID", Errc::digest_mismatch},
        {"MANIFEST_BLOB_UNKNOWN", Errc::manifest_blob_unknown},
        {"MANIFEST_INVALID", Errc::manifest_invalid},
        {"MANIFEST_UNVERIFIED", Errc::manifest_invalid},
        {"MANIFEST_UNKNOWN", Errc::manifest_unknown},
        {"NAME_UNKNOWN", Errc::name_unknown},
        {"NAME_INVALID", Errc::name_invalid},
        {"TAG_INVALID", Errc::tag_invalid},
        {"RANGE_INVALID", Errc::upload_offset},
        {"SIZE_INVALID", Errc::payload_too_large},
        {"TOOMANYREQUESTS", Errc::too_many_requests},
        {"DENIED", Errc::denied},
        {"UNAUTHORIZED", Errc::denied},
        {"UNSUPPORTED", Errc::unsupported},
        {"PRECONDITION", Errc::precondition_failed},
        {"STORAGE_FULL", Errc::storage_full},
        {"UNAVAILABLE", Errc::unavailable},
    }};
    // Harbor and Entrepôt have one code for what may not be and for what is too much.
    if (code == "DENIED" && (message.contains("quota") || message.contains("upper limit"))) return Errc::quota_exceeded;
    // Harbor: the immutable tag's 412, and the policies' 412.
    if (status == 412) return Errc::precondition_failed;
    // An offset that is not the upload's is told by its status.
    if (status == 416) return Errc::upload_offset;
    const auto* found = std::ranges::find(table, code, &Row::code);
    return found == table.end() ? std::nullopt : std::optional{found->errc};
}

Errc errc_of(unsigned status, Errc unknown) noexcept
{
    switch (status) {
        case 401:
        case 403: return Errc::denied;
        case 404: return unknown;
        case 405:
        case 501: return Errc::unsupported;
        case 408: return Errc::request_timeout;
        case 409: return Errc::conflict;
        case 412: return Errc::precondition_failed;
        case 413: return Errc::payload_too_large;
        case 416: return Errc::upload_offset;
        case 429: return Errc::too_many_requests;
        case 507: return Errc::storage_full;
        default: return status >= 400 && status < 500 ? Errc::bad_request : Errc::unavailable;
    }
}

}  // namespace

RemoteProblem parse_remote_problem(std::string_view body)
{
    RemoteProblem problem;
    const auto object = parse_object(body);
    if (!object) return problem;
    const auto* errors = find_array(*object, "errors");
    const auto* first = errors != nullptr && !errors->empty() ? errors->front().if_object() : nullptr;
    const auto& from = first != nullptr ? *first : *object;
    for (const auto* key : {"code", "__type"}) {
        if (problem.code.empty()) problem.code = code_of(find_text(from, key));
    }
    for (const auto* key : {"message", "Message", "detail"}) {
        if (problem.message.empty()) problem.message = readable(find_text(from, key), longest_message);
    }
    return problem;
}

Error remote_error(const ClientAnswerHead& answer, std::string_view body, Errc unknown)
{
    const auto problem = parse_remote_problem(body);
    const auto url = parse_http_url(answer.url);
    auto text = (url ? url->authority() : "the registry") + " answers " + std::to_string(answer.status);
    if (!problem.code.empty()) text += " " + problem.code;
    if (!problem.message.empty()) text += ": " + problem.message;
    const auto said = answer.status >= 400 ? errc_of(problem.code, problem.message, answer.status) : std::nullopt;
    return Error{
        said.value_or(errc_of(answer.status, unknown)), std::move(text), answer.url.substr(0, longest_message)
    };
}

bool is_web_page(std::string_view content_type) noexcept
{
    const auto type = trimmed(content_type.substr(0, content_type.find(';')));
    return same_word(type, "text/html") || same_word(type, "application/xhtml+xml");
}

}  // namespace entrepot
