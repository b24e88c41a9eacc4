#pragma once

#include "ports/audit_store.hpp"
#include "ports/audit_trail.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace entrepot {

// An audit trail that keeps everything in a vector. Safe from any thread.
class MemoryTrail final : public AuditTrail {
public:
    Task<> ready() override { co_return Result<>{}; }
    Task<> record(AuditRecord record) override
    {
        if (full) co_return fail(Errc::storage_full, "the audit trail has no room");
        ++durable;
        keep(std::move(record));
        co_return Result<>{};
    }
    Task<> note(AuditRecord record) override
    {
        keep(std::move(record));
        co_return Result<>{};
    }
    void gather(AuditRecord record) noexcept override { keep(std::move(record)); }
    void pulled(const AuditPull& pull) noexcept override
    {
        const std::scoped_lock lock{mutex_};
        pulls_.push_back(pull.repository.text() + ":" + std::string{pull.tag} + " by " + std::string{pull.client});
    }

    std::atomic<bool> full = false;  // record() is refused
    std::atomic<int> durable = 0;    // of the records, those that record() took

    std::vector<std::string> pulls() const
    {
        const std::scoped_lock lock{mutex_};
        return pulls_;
    }
    std::vector<AuditRecord> records() const
    {
        const std::scoped_lock lock{mutex_};
        return records_;
    }

private:
    void keep(AuditRecord record)
    {
        const std::scoped_lock lock{mutex_};
        records_.push_back(std::move(record));
    }
    mutable std::mutex mutex_;
    std::vector<AuditRecord> records_;
    std::vector<std::string> pulls_;
};

// Segments of one instance in memory, on a disk that can be full or broken. Safe from any thread.
class MemoryAuditStore final : public AuditSegments, public AuditSegmentWriter, public AuditCursors {
public:
    explicit MemoryAuditStore(std::string instance = "one") : instance_{std::move(instance)} {}

    Result<std::vector<std::string>> instances() override { return std::vector{instance_}; }
    Result<std::vector<AuditSegment>> segments(const std::string&) override
    {
        const std::scoped_lock lock{mutex_};
        std::vector<AuditSegment> list;
        for (const auto& [number, bytes] : files_) list.push_back({number, bytes.size()});
        return list;
    }
    Result<std::string>
    read(const std::string&, std::uint64_t number, std::uint64_t offset, std::size_t length) override
    {
        const std::scoped_lock lock{mutex_};
        const auto file = files_.find(number);
        if (file == files_.end()) return fail(Errc::not_found, "there is no such segment");
        if (offset >= file->second.size()) return std::string{};
        return file->second.substr(static_cast<std::size_t>(offset), length);
    }

    Result<> resume(std::uint64_t number, std::uint64_t length) override
    {
        const std::scoped_lock lock{mutex_};
        current_ = number;
        files_.at(number).resize(static_cast<std::size_t>(length));
        return {};
    }
    Result<> begin(std::uint64_t number) override
    {
        const std::scoped_lock lock{mutex_};
        if (full_) return fail(Errc::storage_full, "the disk is full");
        files_[number].clear();
        current_ = number;
        return {};
    }
    Result<> append(std::string_view bytes) override
    {
        const std::scoped_lock lock{mutex_};
        if (broken_) return fail(Errc::unavailable, "the disk is broken");
        ++appends_;
        files_.at(current_) += bytes;
        room_ -= std::min<std::uint64_t>(room_, bytes.size());
        return {};
    }
    std::uint64_t room() const override
    {
        const std::scoped_lock lock{mutex_};
        return room_;
    }
    Result<> make_room(std::uint64_t bytes) override
    {
        const std::scoped_lock lock{mutex_};
        if (full_ && room_ < bytes) return fail(Errc::storage_full, "the disk is full");
        room_ = std::max(room_, bytes);
        return {};
    }
    Result<> remove(std::uint64_t number) override
    {
        const std::scoped_lock lock{mutex_};
        files_.erase(number);
        return {};
    }
    void close() override {}

    Result<std::string> load(const std::string& name) override
    {
        const std::scoped_lock lock{mutex_};
        return cursors_[name];
    }
    Result<> save(const std::string& name, std::string_view text) override
    {
        const std::scoped_lock lock{mutex_};
        cursors_[name] = text;
        return {};
    }

    // For tests.
    std::map<std::uint64_t, std::string> files() const
    {
        const std::scoped_lock lock{mutex_};
        return files_;
    }
    void set_files(std::map<std::uint64_t, std::string> files)
    {
        const std::scoped_lock lock{mutex_};
        files_ = std::move(files);
    }
    // Nothing more can be reserved, and `left` bytes of what was are.
    void fill(std::uint64_t left)
    {
        const std::scoped_lock lock{mutex_};
        full_ = true;
        room_ = left;
    }
    void free()
    {
        const std::scoped_lock lock{mutex_};
        full_ = false;
    }
    void set_broken(bool broken)
    {
        const std::scoped_lock lock{mutex_};
        broken_ = broken;
    }
    std::uint64_t appends() const
    {
        const std::scoped_lock lock{mutex_};
        return appends_;
    }

private:
    std::string instance_;
    mutable std::mutex mutex_;
    std::map<std::uint64_t, std::string> files_;
    std::map<std::string, std::string> cursors_;
    std::uint64_t current_ = 0;
    std::uint64_t room_ = 0;
    std::uint64_t appends_ = 0;
    bool full_ = false;
    bool broken_ = false;
};

}  // namespace entrepot
