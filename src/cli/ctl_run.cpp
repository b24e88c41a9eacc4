#include "cli/ctl_run.hpp"

#include "cli/ctl_lookup.hpp"
#include "core/percent.hpp"

#include <boost/json/serialize.hpp>

#include <charconv>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

std::unexpected<Error> no_such_value(const CtlOption& option, std::string_view text, std::string_view wanted)
{
    return fail(Errc::bad_request, fmt::format("--{} {}: that is no {}", option.name, text, wanted));
}

}  // namespace

Result<json::value> ctl_value(const CtlOption& option, std::string_view text, Micros now)
{
    switch (option.kind) {
        case CtlValue::text: return json::value(text);
        case CtlValue::boolean:
            if (text == "true" || text == "yes") return json::value(true);
            if (text == "false" || text == "no") return json::value(false);
            return no_such_value(option, text, "yes or no");
        case CtlValue::days:
        case CtlValue::integer: {
            if (option.kind == CtlValue::days && text == "never") return json::value(-1);
            if (option.kind == CtlValue::days && text.ends_with('d')) text.remove_suffix(1);
            std::int64_t number = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (error != std::errc{} || end != text.data() + text.size()) return no_such_value(option, text, "number");
            return json::value(number);
        }
        case CtlValue::size: {
            const auto bytes = parse_ctl_size(text);
            if (!bytes) return no_such_value(option, text, "size such as 10GiB");
            return json::value(*bytes);
        }
        case CtlValue::moment: {
            if (text == "never") return json::value(-1);
            if (const auto seconds = parse_ctl_duration(text)) return json::value(now / 1'000'000 + *seconds);
            const auto day = text.size() == 10 ? std::string{text} + "T00:00:00Z" : std::string{text};
            const auto time = text.contains('-') ? parse_time(day) : std::nullopt;
            if (!time) return no_such_value(option, text, "time such as 30d or 2026-12-31");
            return json::value(*time / 1'000'000);
        }
    }
    return json::value(text);
}

Result<CtlApi*> CtlRun::api()
{
    if (!api_) {
        TRY(auto context, choose_ctl_context(io_, value("context")));
        if (has("ca-file")) context.ca_file = value("ca-file");
        if (has("insecure")) context.insecure = true;
        api_.emplace(io_, std::move(context));
    }
    return &*api_;
}

Result<CtlApi*> CtlRun::api_with_password()
{
    TRY(auto* const with_token, api());
    auto context = with_token->context();
    if (context.token.empty()) return with_token;
    if (auto password = password_at_hand(io_, context)) {
        context.password = *std::move(password);
    } else if (io_.interactive() && !context.user.empty()) {
        TRY(context.password, io_.ask(fmt::format("Password of {}: ", context.user), true));
    } else {
        return fail(
            Errc::unauthorized,
            "an access token can't do this, only a password: set ENTREPOT_USER and ENTREPOT_PASSWORD"
        );
    }
    use_password(context.password);
    return &*api_;
}

void CtlRun::use_password(const std::string& password)
{
    auto context = api_->context();
    if (context.token.empty()) return;
    context.token.clear();
    context.password = password;
    api_.emplace(io_, std::move(context));
}

Result<std::string> CtlRun::path(std::string_view pattern)
{
    std::string out;
    for (;;) {
        const auto open = pattern.find('{');
        out += pattern.substr(0, open);
        if (open == pattern.npos) return out;
        const auto close = pattern.find('}', open);
        const auto part = pattern.substr(open + 1, close - open - 1);
        pattern.remove_prefix(close + 1);
        const auto colon = part.find(':');
        const auto text = value(part.substr(0, colon));
        if (colon == part.npos) {
            out += percent_encoded(text);
        } else {
            TRY(const auto found, ctl_lookup(*this, part.substr(colon + 1), text));
            out += found;
        }
    }
}

Result<json::object> CtlRun::body()
{
    json::object body;
    for (const auto& argument : line_.command->arguments) {
        if (!argument.field.empty() && has(argument.name))
            set_field(body, argument.field, json::value(value(argument.name)));
    }
    for (const auto& option : line_.command->options) {
        if (option.field.empty() || !has(option.name)) continue;
        if (!option.repeated) {
            TRY(auto found, ctl_value(option, value(option.name), io_.now()));
            set_field(body, option.field, std::move(found));
            continue;
        }
        json::array values;
        for (const auto& text : line_.all(option.name)) {
            TRY(auto found, ctl_value(option, text, io_.now()));
            values.push_back(std::move(found));
        }
        set_field(body, option.field, std::move(values));
    }
    return body;
}

namespace {

// Prints rows as they come, in the format that was asked for.
class ListPrinter {
public:
    ListPrinter(CtlIo& io, std::string_view format, bool quiet, std::span<const CtlColumn> columns)
        : io_{io}, format_{format}, quiet_{quiet}, columns_{columns}
    {
    }

    void add(const json::object& row)
    {
        if (format_ == "json") {
            auto text = pretty_json(row, 2);
            text.pop_back();
            io_.out((count_ == 0 ? "[\n  " : ",\n  ") + text);
        } else if (format_ == "yaml") {
            io_.out(yaml_entry(row));
        } else if (quiet_) {
            io_.out(cell_text(row, columns_.front()) + "\n");
        } else {
            rows_.push_back(row);
            if (rows_.size() == 100) flush();
        }
        ++count_;
    }

    void end()
    {
        if (format_ == "json")
            io_.out(count_ == 0 ? "[]\n" : "\n]\n");
        else if (format_ == "yaml")
            io_.out(count_ == 0 ? "[]\n" : "");
        else if (!quiet_)
            flush();
    }

private:
    void flush()
    {
        io_.out(table_text(columns_, rows_, !started_, widths_));
        started_ = true;
        rows_.clear();
    }

    CtlIo& io_;
    std::string_view format_;
    bool quiet_;
    std::span<const CtlColumn> columns_;
    std::vector<json::object> rows_;
    std::vector<std::size_t> widths_;
    std::size_t count_ = 0;
    bool started_ = false;
};

}  // namespace

Result<> CtlRun::print_list(
    std::string_view path, std::span<const CtlColumn> columns, std::string conditions, const Adorn& adorn
)
{
    std::string full{path};
    const auto add = [&full](std::string_view name, std::string_view text) {
        full += fmt::format("{}{}={}", full.contains('?') ? '&' : '?', name, percent_encoded(text));
    };
    if (has("query")) conditions += (conditions.empty() ? "" : ",") + std::string{value("query")};
    if (!conditions.empty()) add("q", conditions);
    if (has("sort")) add("sort", value("sort"));
    std::int64_t limit = 0;
    if (has("limit")) {
        TRY(const auto number, ctl_value({.name = "limit", .kind = CtlValue::integer}, value("limit"), 0));
        limit = number.as_int64();
        if (limit <= 0) return fail(Errc::bad_request, "--limit must be above 0");
    }
    TRY(auto* const server, api());
    ListPrinter printer{io_, format(), quiet(), columns};
    CHECK(server->each(full, limit, [&](const json::object& row) -> Result<> {
        if (adorn && format() == "table") {
            auto copy = row;
            CHECK(adorn(copy));
            printer.add(copy);
            return {};
        }
        printer.add(row);
        return {};
    }));
    printer.end();
    return {};
}

Result<> CtlRun::print_rows(const json::array& rows, std::span<const CtlColumn> columns)
{
    ListPrinter printer{io_, format(), quiet(), columns};
    for (const auto& row : rows) {
        if (!row.is_object()) return fail(Errc::internal, "the server's list is no list of objects");
        printer.add(row.as_object());
    }
    printer.end();
    return {};
}

void CtlRun::print_object(const json::value& object, std::span<const CtlColumn> columns)
{
    if (format() == "json")
        io_.out(pretty_json(object));
    else if (format() == "yaml")
        io_.out(yaml_text(object));
    else if (object.is_object())
        io_.out(
            quiet() ? cell_text(object.as_object(), columns.front()) + "\n" : card_text(columns, object.as_object())
        );
    else
        io_.out(pretty_json(object));
}

void CtlRun::say(std::string_view text)
{
    if (!quiet()) io_.out(fmt::format("{}\n", text));
}

Result<> CtlRun::print_change(const CtlAnswer& answer, std::string_view text)
{
    if (format() == "table") {
        say(text);
        return {};
    }
    auto object = answer.body;
    constexpr std::string_view base = "/api/v2.0/";
    if (const auto at = answer.location.find(base); object.is_null() && at != answer.location.npos) {
        TRY(auto* const server, api());
        TRY(object, server->get(std::string_view{answer.location}.substr(at + base.size())));
    }
    print_object(object, {});
    return {};
}

Result<> CtlRun::confirm(const std::string& what)
{
    if (has("yes")) return {};
    if (!io_.interactive())
        return fail(Errc::bad_request, fmt::format("{}: nobody is there to agree; say --yes", what));
    TRY(const auto answer, io_.ask(what + "? [y/N] ", false));
    if (answer == "y" || answer == "Y" || answer == "yes") return {};
    return fail(Errc::cancelled, "nothing was changed");
}

Result<std::string> CtlRun::secret(std::string_view option, const char* variable, std::string_view question)
{
    std::string text;
    if (has(fmt::format("{}-stdin", option))) {
        TRY(text, io_.read_input());
        while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    } else if (const auto found = variable != nullptr ? io_.variable(variable) : std::nullopt) {
        text = *found;
    } else if (io_.interactive()) {
        TRY(text, io_.ask(question, true));
    } else {
        return fail(Errc::bad_request, fmt::format("nobody is there to be asked; say --{}-stdin", option));
    }
    if (text.empty()) return fail(Errc::bad_request, fmt::format("the {} is empty", option));
    return text;
}

}  // namespace entrepot
