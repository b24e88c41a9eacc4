#include "client/http_client.hpp"

#include "client/client_connection.hpp"
#include "client/http_url.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <openssl/ssl.h>

namespace entrepot {
namespace {

using std::chrono::steady_clock;

constexpr std::uint32_t longest_head = 64 * 1024;

bool same_name(std::string_view left, std::string_view right) noexcept
{
    return boost::beast::iequals({left.data(), left.size()}, {right.data(), right.size()});
}

bool can_be_repeated(const ClientRequest& request) noexcept
{
    constexpr std::array<std::string_view, 5> methods{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
    return request.source == nullptr && std::find(methods.begin(), methods.end(), request.method) != methods.end();
}

std::unique_ptr<AnswerParser> make_parser(const ClientRequest& request)
{
    auto parser = std::make_unique<AnswerParser>();
    parser->header_limit(longest_head);
    parser->body_limit(boost::none);
    if (request.method == "HEAD") parser->skip(true);
    return parser;
}

// An answer whose head is there, with the connection that its body comes from.
struct Opened {
    std::unique_ptr<ClientConnection> connection;
    std::unique_ptr<AnswerParser> parser;
    HttpUrl url;
};

class AnswerBody final : public ByteSource {
public:
    AnswerBody(std::shared_ptr<HttpClient::State> state, Opened opened, std::optional<ClientDeadline> deadline)
        : state_{std::move(state)}, opened_{std::move(opened)}, deadline_{deadline}
    {
        const auto length = opened_.parser->content_length();
        if (length) size_ = *length;
        finish();
    }

    std::optional<std::uint64_t> size() const override { return size_; }

    Task<std::size_t> read(std::span<std::byte> into) override
    {
        if (opened_.connection == nullptr || into.empty()) co_return std::size_t{0};
        opened_.connection->expires_at(deadline_.value_or(steady_clock::now() + state_->options().idle_patience));
        auto reading = opened_.connection->read_body(*opened_.parser, into);
        auto count = co_await std::move(reading);
        if (!count) opened_.connection.reset();
        if (count) finish();
        co_return count;
    }

private:
    // The connection goes back as soon as the last byte is there.
    void finish()
    {
        if (opened_.connection == nullptr || !opened_.parser->is_done()) return;
        if (opened_.parser->keep_alive()) state_->give_back(std::move(opened_.connection));
        opened_.connection.reset();
    }

    std::shared_ptr<HttpClient::State> state_;
    Opened opened_;
    std::optional<ClientDeadline> deadline_;  // of the whole; without it each read has its own
    std::optional<std::uint64_t> size_;
};

// One request on one connection until its final head is there.
Task<> exchange(Opened& opened, const ClientRequest& request, const HttpClientOptions& options)
{
    auto sending = opened.connection->send(request, opened.url, options);
    auto sent = co_await std::move(sending);
    // Sending a long body has used the first deadline up.
    if (request.source != nullptr) opened.connection->expires_at(steady_clock::now() + options.exchange_patience);
    if (!sent && sent.error().code() != Errc::connection_lost) co_return std::unexpected{std::move(sent).error()};
    // Who refuses a long body may answer and close before all of it is sent.
    do {
        opened.parser = make_parser(request);
        auto reading = opened.connection->read_head(*opened.parser);
        auto read = co_await std::move(reading);
        if (!read) co_return sent ? std::move(read) : std::move(sent);
    } while (opened.parser->get().result_int() < 200);
    co_return Result<>{};
}

Task<Opened>
reach(std::shared_ptr<HttpClient::State> state, const ClientRequest& request, HttpUrl url, ClientDeadline deadline)
{
    const auto executor = co_await asio::this_coro::executor;
    Opened opened{.connection = state->take(executor, url), .parser = nullptr, .url = std::move(url)};
    if (opened.connection != nullptr) {
        opened.connection->expires_at(deadline);
        auto again = exchange(opened, request, state->options());
        auto done = co_await std::move(again);
        if (done) co_return opened;
        // The peer may have closed while the connection was at rest.
        const bool closed = done.error().code() == Errc::connection_lost && !opened.connection->received_anything();
        if (!closed || !can_be_repeated(request)) co_return std::unexpected{std::move(done).error()};
    }
    opened.connection = state->make(executor, opened.url);
    const auto patience = std::min(deadline, steady_clock::now() + state->options().connect_patience);
    auto connecting = opened.connection->connect(patience, state->options());
    CO_CHECK(co_await std::move(connecting));
    opened.connection->expires_at(deadline);
    auto asking = exchange(opened, request, state->options());
    CO_CHECK(co_await std::move(asking));
    co_return opened;
}

// Where the answer sends the request, or nothing when it is to be taken as it is.
std::optional<std::string> redirected_to(const Opened& opened, const ClientRequest& request)
{
    if (!request.follow) return std::nullopt;
    const auto status = opened.parser->get().result_int();
    const bool only_reads = request.method == "GET" || request.method == "HEAD";
    const bool any_method = (status == 307 || status == 308) && request.source == nullptr;
    if (!any_method && !(only_reads && (status == 301 || status == 302 || status == 303))) return std::nullopt;
    const auto found = opened.parser->get().find(boost::beast::http::field::location);
    if (found == opened.parser->get().end()) return std::nullopt;
    return std::string{found->value()};
}

void drop_credentials(ClientRequest& request)
{
    std::erase_if(request.fields, [](const HttpField& field) {
        return field.secret || same_name(field.name, "Authorization") || same_name(field.name, "Cookie");
    });
}

Task<Opened> follow(std::shared_ptr<HttpClient::State> state, ClientRequest request, ClientDeadline deadline)
{
    CO_TRY(auto url, parse_http_url(request.url));
    for (unsigned left = state->options().most_redirects;; --left) {
        CO_TRY(auto opened, co_await reach(state, request, url, deadline));
        const auto location = redirected_to(opened, request);
        if (!location) co_return opened;
        if (left == 0) {
            const auto* what =
                state->options().most_redirects == 0 ? "redirects, which is not followed" : "redirects too often";
            co_return fail(Errc::unavailable, fmt::format("{} {}", opened.url.authority(), what));
        }
        auto next = resolve_http_url(opened.url, *location);
        if (!next || (opened.url.tls && !next->tls)) {
            co_return fail(
                Errc::unavailable, fmt::format("{} redirects to where we don't go", opened.url.authority()), *location
            );
        }
        if (!next->same_origin(opened.url)) drop_credentials(request);
        url = *std::move(next);
    }
}

void take_head(const Opened& opened, ClientAnswerHead& into)
{
    const auto& message = opened.parser->get();
    into.status = message.result_int();
    into.url = opened.url.text();
    for (const auto& field : message)
        into.fields.push_back({.name = std::string{field.name_string()}, .value = std::string{field.value()}});
}

}  // namespace

std::string_view ClientAnswerHead::field(std::string_view name) const noexcept
{
    const auto found =
        std::find_if(fields.begin(), fields.end(), [name](const auto& each) { return same_name(each.name, name); });
    return found == fields.end() ? std::string_view{} : found->value;
}

std::unique_ptr<ClientConnection> HttpClient::State::make(const asio::any_io_executor& executor, const HttpUrl& origin)
{
    return origin.tls ? std::make_unique<ClientConnection>(executor, origin, context_)
                      : std::make_unique<ClientConnection>(executor, origin);
}

std::unique_ptr<ClientConnection> HttpClient::State::take(const asio::any_io_executor& executor, const HttpUrl& origin)
{
    const std::lock_guard lock{mutex_};
    for (auto place = idle_.end(); place != idle_.begin();) {
        --place;
        if ((*place)->executor() != executor || !(*place)->origin().same_origin(origin)) continue;
        auto connection = std::move(*place);
        place = idle_.erase(place);
        if (connection->is_quiet()) return connection;
    }
    return nullptr;
}

void HttpClient::State::give_back(std::unique_ptr<ClientConnection> connection)
{
    const std::lock_guard lock{mutex_};
    if (options_.most_idle == 0) return;
    if (idle_.size() >= options_.most_idle) idle_.erase(idle_.begin());
    idle_.push_back(std::move(connection));
}

Result<HttpClient> HttpClient::create(HttpClientOptions options)
{
    asio::ssl::context context{asio::ssl::context::tls_client};
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    boost::system::error_code error;
    if (options.ca_file.empty())
        context.set_default_verify_paths(error);
    else
        context.load_verify_file(options.ca_file, error);
    if (!error && !options.ca_text.empty()) context.add_certificate_authority(asio::buffer(options.ca_text), error);
    if (error && !options.insecure) {
        if (!options.ca_text.empty())
            return fail(Errc::bad_request, "no certificate authority can be read from the PEM");
        const auto what = options.ca_file.empty() ? std::string{"the system's certificates"} : options.ca_file;
        return fail(Errc::bad_request, fmt::format("{}: no certificates can be read: {}", what, error.message()));
    }
    return HttpClient{std::make_shared<State>(std::move(options), std::move(context))};
}

HttpClient::HttpClient(std::shared_ptr<State> state) : state_{std::move(state)} {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Task<ClientResponse> HttpClient::send(ClientRequest request)
{
    const auto state = state_;
    const auto deadline = steady_clock::now() + state->options().exchange_patience;
    CO_TRY(auto opened, co_await follow(state, std::move(request), deadline));
    ClientResponse response;
    take_head(opened, response);
    AnswerBody body{state, std::move(opened), deadline};
    if (state->options().cut_long_bodies) {
        response.body.resize(state->options().longest_body);
        CO_TRY(const auto count, co_await read_full(body, std::as_writable_bytes(std::span{response.body})));
        response.body.resize(count);
    } else {
        CO_TRY(response.body, co_await read_all(body, state->options().longest_body));
    }
    co_return response;
}

Task<ClientStream> HttpClient::open(ClientRequest request)
{
    const auto state = state_;
    const auto deadline = steady_clock::now() + state->options().exchange_patience;
    CO_TRY(auto opened, co_await follow(state, std::move(request), deadline));
    ClientStream stream;
    take_head(opened, stream);
    stream.body = std::make_unique<AnswerBody>(state, std::move(opened), std::nullopt);
    co_return stream;
}

}  // namespace entrepot
