#include "core/log.hpp"

#include "core/utf8.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace entrepot::log {
namespace {

std::atomic<Level> least_level{Level::info};
std::atomic<Format> line_format{Format::text};

// Never destroyed: objects that are may still log. The sink has the only lock.
spdlog::logger& standard_error()
{
    static auto* const logger = [] {
        auto* made = new spdlog::logger{"entrepot", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
        made->set_level(spdlog::level::trace);
        made->set_pattern("%v");
        made->set_error_handler([](const std::string&) {});
        return made;
    }();
    return *logger;
}

std::string_view word(Level level) noexcept
{
    switch (level) {
        case Level::debug: return "debug";
        case Level::info: return "info";
        case Level::warning: return "warning";
        case Level::error: return "error";
    }
    return "error";
}

// RFC 3339, UTC, with microseconds.
std::string timestamp()
{
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(since).count();
    const auto seconds = static_cast<std::time_t>(micros / 1'000'000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 40> text{};
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    const auto left = text.size() - length;
    const auto more = std::snprintf(text.data() + length, left, ".%06dZ", static_cast<int>(micros % 1'000'000));
    return {text.data(), length + static_cast<std::size_t>(more)};
}

void append_hex(std::string& line, std::string_view introduction, std::uint32_t number, unsigned digits)
{
    line += introduction;
    while (digits-- > 0) line += "0123456789abcdef"[number >> (4 * digits) & 15U];
}

// What a terminal or a viewer might not show as it stands: controls, line separators, changes of direction.
bool is_invisible(char32_t letter) noexcept
{
    return letter < 0x20 || (letter >= 0x7f && letter < 0xa0) || (letter >= 0x2028 && letter <= 0x202e) ||
           (letter >= 0x2066 && letter <= 0x2069);
}

// Inside the quotes of JSON (RFC 8259 section 7), or of the text form, where a byte that is no UTF-8 stays readable.
void append_escaped(std::string& line, std::string_view value, Format format)
{
    while (!value.empty()) {
        const auto [letter, length] = next_code_point(value);
        const auto bytes = value.substr(0, length);
        value.remove_prefix(length);
        if (letter == not_utf8) {
            if (format == Format::json)
                line += "\\ufffd";
            else
                append_hex(line, "\\x", static_cast<unsigned char>(bytes.front()), 2);
        } else if (letter == U'"' || letter == U'\\') {
            line += '\\';
            line += bytes;
        } else if (letter == U'\n') {
            line += "\\n";
        } else if (is_invisible(letter)) {
            append_hex(line, "\\u", letter, 4);
        } else {
            line += bytes;
        }
    }
}

void append_quoted(std::string& line, std::string_view value, Format format)
{
    line += '"';
    append_escaped(line, value, format);
    line += '"';
}

// Printable ASCII that cannot be taken for the start of a field or a quoted value.
bool stands_unquoted(std::string_view value, bool blanks) noexcept
{
    if (value.empty() || value.starts_with(' ') || value.ends_with(' ')) return false;
    for (const char letter : value) {
        const bool plain = letter > ' ' && letter < '\x7f' && letter != '"' && letter != '=' && letter != '\\';
        if (!plain && !(blanks && letter == ' ')) return false;
    }
    return true;
}

std::string text_line(Level level, std::string_view message, std::initializer_list<Field> fields)
{
    auto line = timestamp() + " " + std::string{word(level)} + " ";
    if (stands_unquoted(message, true))
        line += message;
    else
        append_quoted(line, message, Format::text);
    for (const auto& field : fields) {
        line += ' ';
        line += field.key;
        line += '=';
        if (stands_unquoted(field.value, false))
            line += field.value;
        else
            append_quoted(line, field.value, Format::text);
    }
    return line;
}

std::string json_line(Level level, std::string_view message, std::initializer_list<Field> fields)
{
    auto line = R"({"time":")" + timestamp() + R"(","level":")" + std::string{word(level)} + R"(","message":)";
    append_quoted(line, message, Format::json);
    for (const auto& field : fields) {
        line += ',';
        append_quoted(line, field.key, Format::json);
        line += ':';
        if (field.is_number)
            line += field.value;
        else
            append_quoted(line, field.value, Format::json);
    }
    return line += '}';
}

spdlog::level::level_enum spdlog_level(Level level) noexcept
{
    switch (level) {
        case Level::debug: return spdlog::level::debug;
        case Level::info: return spdlog::level::info;
        case Level::warning: return spdlog::level::warn;
        case Level::error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

std::string place_of(const std::source_location& where)
{
    const std::string_view file{where.file_name()};
    constexpr std::string_view root = "/src/";
    const auto at = file.rfind(root);
    const auto inside = at == std::string_view::npos ? file : file.substr(at + root.size());
    return std::string{inside} + ":" + std::to_string(where.line());
}

}  // namespace

void configure(Level least, Format format)
{
    least_level.store(least, std::memory_order_relaxed);
    line_format.store(format, std::memory_order_relaxed);
}

bool enabled(Level level) noexcept
{
    return level >= least_level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields)
{
    if (!enabled(level)) return;
    const bool json = line_format.load(std::memory_order_relaxed) == Format::json;
    const auto line = json ? json_line(level, message, fields) : text_line(level, message, fields);
    standard_error().log(spdlog_level(level), spdlog::string_view_t{line.data(), line.size()});
}

void failure(Level level, std::string_view doing, const Error& error, std::string_view request_id)
{
    if (!enabled(level)) return;
    const Field code{"code", name_of(error.code())};
    const Field message{"error", error.message()};
    const Field detail{"detail", error.detail()};
    const Field place{"place", place_of(error.where())};
    if (request_id.empty())
        write(level, doing, {code, message, detail, place});
    else
        write(level, doing, {code, message, detail, place, Field{"request_id", request_id}});
}

}  // namespace entrepot::log
