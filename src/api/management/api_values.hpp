#pragma once

#include "api/oci/call.hpp"
#include "core/task.hpp"
#include "http/message.hpp"
#include "oci/names.hpp"
#include "ports/list_query.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What the management API's resources have in common on the wire (Harbor API v2.0): JSON bodies, pages, filters, ids.

// A request's JSON object, at most 1 MiB. Fields are asked for by name and type; what nobody asks for is ignored, so a
// request can set nothing that its handler does not read. All answer bad_request for a value of another type.
class JsonBody {
public:
    static Task<JsonBody> read(ByteSource& body);  // bad_request, payload_too_large
    explicit JsonBody(boost::json::object object) : object_{std::move(object)} {}

    bool has(std::string_view name) const noexcept;         // there, and not null
    Result<std::string> text(std::string_view name) const;  // required: bad_request when it is absent
    Result<std::optional<std::string>> optional_text(std::string_view name) const;
    Result<std::optional<std::int64_t>> optional_integer(std::string_view name) const;
    Result<std::optional<bool>> optional_boolean(std::string_view name) const;  // also "true" and "false"
    Result<std::optional<JsonBody>> optional_object(std::string_view name) const;
    Result<std::vector<std::string>> texts(std::string_view name) const;  // absent: none
    Result<std::vector<JsonBody>> objects(std::string_view name) const;   // absent: none
    const boost::json::object& raw() const noexcept { return object_; }

private:
    boost::json::object object_;
};

// `q` and `sort`, `page` (from 1) and `page_size` (10, at most 100). bad_request.
Result<ListQuery> list_query_of(const Query& query);
// Harbor's q alone: "k=v,k=~v,k=[min~max],k={a b},k=(a b)".
Result<std::vector<ListCondition>> parse_conditions(std::string_view q);

Response json_response(const boost::json::value& value, unsigned status = 200);
Response json_text(std::string json);      // 200
Response text_response(std::string text);  // 200
// 201 with the new object's address.
Response created_response(std::string location);
// A page of a list: X-Total-Count, and Link to the pages before and after it.
Response list_response(const Request& request, boost::json::array items, const ListQuery& query, std::int64_t total);
Response list_response(const Request& request, std::string json_array, const ListQuery& query, std::int64_t total);

// A positive 64-bit id in a path. not_found, since nothing has another one.
Result<std::int64_t> parse_id(std::string_view text);
// The repository of a path: `name` is below the project and may still be percent-encoded once. name_invalid.
Result<RepositoryName> repository_of(std::string_view project, std::string_view name);
// "/api/v2.0/projects/p/repositories/a%252Fb"
std::string location_of(const RepositoryName& repository);

}  // namespace entrepot
