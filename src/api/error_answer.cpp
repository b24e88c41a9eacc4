#include "api/error_answer.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstdint>

namespace entrepot {
namespace {

struct Row {
    unsigned status;
    std::string_view code;
};

// No default: an Errc that nobody mapped stops the build (-Wswitch -Werror).
Row row_for(Errc code) noexcept
{
    switch (code) {
        case Errc::bad_request: return {400, "BAD_REQUEST"};
        case Errc::name_invalid: return {400, "NAME_INVALID"};
        case Errc::tag_invalid: return {400, "TAG_INVALID"};
        case Errc::digest_invalid: return {400, "DIGEST_INVALID"};
        case Errc::size_invalid: return {400, "SIZE_INVALID"};
        case Errc::range_invalid: return {416, "RANGE_INVALID"};
        case Errc::manifest_invalid: return {400, "MANIFEST_INVALID"};
        case Errc::page_invalid: return {400, "PAGINATION_NUMBER_INVALID"};
        case Errc::upload_invalid: return {400, "BLOB_UPLOAD_INVALID"};
        case Errc::upload_offset: return {416, "BLOB_UPLOAD_INVALID"};
        case Errc::digest_mismatch: return {400, "DIGEST_INVALID"};
        case Errc::manifest_too_large: return {413, "MANIFEST_INVALID"};
        case Errc::payload_too_large: return {413, "SIZE_INVALID"};
        case Errc::too_many_tags: return {414, "TAG_INVALID"};
        case Errc::not_found: return {404, "NOT_FOUND"};
        case Errc::name_unknown: return {404, "NAME_UNKNOWN"};
        case Errc::manifest_unknown: return {404, "MANIFEST_UNKNOWN"};
        case Errc::manifest_blob_unknown: return {404, "MANIFEST_BLOB_UNKNOWN"};
        case Errc::blob_unknown: return {404, "BLOB_UNKNOWN"};
        case Errc::upload_unknown: return {404, "BLOB_UPLOAD_UNKNOWN"};
        case Errc::gone: return {410, "GONE"};
        case Errc::unauthorized: return {401, "UNAUTHORIZED"};
        case Errc::denied: return {403, "DENIED"};
        case Errc::unsupported: return {405, "UNSUPPORTED"};
        case Errc::method_not_allowed: return {405, "UNSUPPORTED"};
        case Errc::conflict: return {409, "CONFLICT"};
        case Errc::blob_in_use: return {405, "UNSUPPORTED"};
        case Errc::precondition_failed: return {412, "PRECONDITION"};
        case Errc::unprocessable: return {422, "UNPROCESSABLE_ENTITY"};
        case Errc::quota_exceeded: return {403, "DENIED"};
        case Errc::oauth_invalid_request: return {400, "invalid_request"};
        case Errc::oauth_invalid_client: return {401, "invalid_client"};
        case Errc::oauth_invalid_grant: return {400, "invalid_grant"};
        case Errc::oauth_unsupported_grant: return {400, "unsupported_grant_type"};
        case Errc::oauth_invalid_scope: return {400, "invalid_scope"};
        case Errc::too_many_requests: return {429, "TOOMANYREQUESTS"};
        case Errc::request_timeout: return {408, "REQUEST_TIMEOUT"};
        case Errc::connection_lost: return {400, "BAD_REQUEST"};
        case Errc::storage_full: return {507, "STORAGE_FULL"};
        case Errc::unavailable: return {503, "UNAVAILABLE"};
        case Errc::corrupt: return {500, "UNKNOWN"};
        case Errc::cancelled: return {409, "BLOB_UPLOAD_INVALID"};
        case Errc::internal: return {500, "UNKNOWN"};
    }
    return {500, "UNKNOWN"};
}

}  // namespace

unsigned status_of(Errc code) noexcept
{
    return row_for(code).status;
}

std::string json_string(std::string_view text)
{
    return boost::json::serialize(boost::json::value(boost::json::string(text)));
}

namespace {

// Harbor's words where the distribution specification has others.
std::string_view management_code(const Row& row) noexcept
{
    switch (row.status) {
        case 400: return "BAD_REQUEST";
        case 403: return "FORBIDDEN";
        case 404: return "NOT_FOUND";
        case 405: return "METHOD_NOT_ALLOWED";
        case 409: return "CONFLICT";
        default: return row.code;
    }
}

Response answer_with(const Row& row, std::string_view code, const Error& error)
{
    Response response;
    response.status = row.status;
    response.add("Content-Type", "application/json");
    if (row.status == 503 || row.status == 429) {
        response.add("Retry-After", std::to_string(std::max<std::int64_t>(error.retry_after().count(), 1)));
    }
    response.body =
        R"({"errors":[{"code":")" + std::string{code} + R"(","message":)" + json_string(error.message()) + "}]}";
    return response;
}

}  // namespace

Response error_response(const Error& error)
{
    const auto row = row_for(error.code());
    return answer_with(row, row.code, error);
}

Response management_error_response(const Error& error)
{
    const auto row = row_for(error.code());
    return answer_with(row, management_code(row), error);
}

Response method_not_allowed(std::string_view allowed)
{
    auto response = error_response(Error{Errc::method_not_allowed, "this method is not supported here"});
    response.add("Allow", allowed);
    return response;
}

}  // namespace entrepot
