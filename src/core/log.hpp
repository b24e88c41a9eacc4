#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

// The process's log. Safe from any thread. Values are escaped, so nothing a client sends can forge a line.
namespace entrepot::log {

enum class Level { debug, info, warning, error };
enum class Format { text, json };

struct Field {
    std::string_view key;
    std::string value;
    bool is_number = false;  // JSON shows it without quotes

    Field(std::string_view name, std::string text) : key{name}, value{std::move(text)} {}
    Field(std::string_view name, std::string_view text) : key{name}, value{text} {}
    Field(std::string_view name, const char* text) : key{name}, value{text} {}
    Field(std::string_view name, std::int64_t number) : key{name}, value{std::to_string(number)}, is_number{true} {}
    Field(std::string_view name, std::uint64_t number) : key{name}, value{std::to_string(number)}, is_number{true} {}
    Field(std::string_view name, int number) : key{name}, value{std::to_string(number)}, is_number{true} {}
};

// Until configure() the log writes text of level info and above to standard error.
void configure(Level least, Format format);
bool enabled(Level level) noexcept;
void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view message, std::initializer_list<Field> fields = {})
{
    if (enabled(Level::debug)) write(Level::debug, message, fields);
}
inline void info(std::string_view message, std::initializer_list<Field> fields = {})
{
    write(Level::info, message, fields);
}
inline void warning(std::string_view message, std::initializer_list<Field> fields = {})
{
    write(Level::warning, message, fields);
}
inline void error(std::string_view message, std::initializer_list<Field> fields = {})
{
    write(Level::error, message, fields);
}

// An Error with its code, message, detail and place.
void failure(Level level, std::string_view doing, const Error& error, std::string_view request_id = {});

}  // namespace entrepot::log
